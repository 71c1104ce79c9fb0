"""Parameters → result, a file a tool."""
