"""Files of a case: rows over the blob store."""
