"""What runs it: definitions, instances, jobs, timers, messages, history; the only room that imports SpiffWorkflow."""
