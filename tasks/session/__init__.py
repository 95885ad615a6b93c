"""The consultation room: booking, attendance, and the log of what happened in it."""
