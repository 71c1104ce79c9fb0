"""What a person sees of a result: colours, styles, pictures, areas and the report. No torch."""
