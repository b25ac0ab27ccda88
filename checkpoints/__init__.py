"""Everything that keeps a call: the database, LangGraph's checkpoints, the register of calls, the effect log."""
