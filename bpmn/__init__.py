"""What happens: BPMN and DMN models as packaged data. Models only, and they ship."""
