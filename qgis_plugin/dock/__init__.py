"""The labelling dock: classes and examples of one vector layer, drawn on the map."""
