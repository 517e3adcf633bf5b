"""The requirements card as text for a terminal, as JSON, and as markdown for a project's own documentation; pure."""
