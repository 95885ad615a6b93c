"""Quality before and after: checks of an application against its images, hints on a report, scores of it."""
