"""GH Archive: its hours are read once, and their events go to the projects that they belong to."""
