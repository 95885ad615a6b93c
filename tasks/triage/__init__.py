"""Who should answer: ranked, explained proposals from rota, specialty and load."""
