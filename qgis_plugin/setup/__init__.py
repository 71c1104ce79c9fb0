"""Where the user sets up the Python environment of JEPA-GFM, or tells the plugin which one holds it."""
