"""Series: what the metrics measure, computed where something changed and stored."""
