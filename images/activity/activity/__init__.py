"""The service of the platform: it reads the archive, keeps the projects' databases and shows them."""
