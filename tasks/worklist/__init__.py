"""What waits for a person: inbox, claims, drafts and submissions."""
