"""The web of the platform: pages, charts and their JSON."""
