"""The ear and the mouth: the call on a LiveKit line. The only place that imports livekit."""
