"""What requests may hold and what answers look like: checked, and the source of OpenAPI."""
