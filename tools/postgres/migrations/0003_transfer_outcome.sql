-- What came of putting the caller through. NULL: it is being tried, or the line died meanwhile; and of what is queued.
ALTER TABLE company.handovers ADD COLUMN outcome text CHECK (
  outcome IN ('through', 'no_answer', 'busy', 'declined', 'voicemail', 'caller_left', 'failed')
);
