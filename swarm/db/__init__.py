"""The database that runs: asked and told through the containers of its servers, so that no port of it is published."""
