"""Labels: read them as they are, burn them into pixels, split those into honest folds."""
