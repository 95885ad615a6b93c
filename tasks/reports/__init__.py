"""Reports: versions, signatures, PDF, and their way back to the applying hospital."""
