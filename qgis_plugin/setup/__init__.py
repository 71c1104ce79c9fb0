"""Where the user tells the plugin which Python environment holds JEPA-GFM."""
