"""What it means: the domain, one folder per capability, binding BPMN operations to integrations and forms."""
