"""What an action does to a layer of labels, as data: undone, it is applied the other way round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from qgis.core import QgsFeature, QgsRendererCategory

from ..compat import QUndoCommand
from . import style


@dataclass(frozen=True)
class CategoryChange:
    """One category before and after; None where there is none. `place` in the list, for one that comes back."""

    place: int
    before: QgsRendererCategory | None
    after: QgsRendererCategory | None

    def reversed(self) -> CategoryChange:
        """The way back."""
        return CategoryChange(self.place, self.after, self.before)

    def applied(self, categories: list[QgsRendererCategory]) -> list[QgsRendererCategory]:
        """The categories after it; one that is gone meanwhile does no harm."""
        known = [style.name_of(category) for category in categories]
        place = self.place
        changed = list(categories)
        if self.before is not None and style.name_of(self.before) in known:
            place = known.index(style.name_of(self.before))
            del changed[place]
        if self.after is not None and style.name_of(self.after) not in map(style.name_of, changed):
            changed.insert(place, self.after)
        return changed

    @property
    def recolours(self) -> bool:
        """Whether a class keeps its name."""
        both = self.before is not None and self.after is not None
        return both and style.name_of(self.before) == style.name_of(self.after)


@dataclass(frozen=True)
class Change:
    """Examples by their handles: added and removed as features, reclassed as (old, new) names; and a category."""

    added: dict[int, QgsFeature] = field(default_factory=dict)
    removed: dict[int, QgsFeature] = field(default_factory=dict)
    reclassed: dict[int, tuple[str, str]] = field(default_factory=dict)
    category: CategoryChange | None = None

    def reversed(self) -> Change:
        """The way back."""
        return Change(
            self.removed, self.added, {handle: (new, old) for handle, (old, new) in self.reclassed.items()},
            self.category.reversed() if self.category is not None else None,
        )  # fmt: skip

    @property
    def only_recolours(self) -> bool:
        """Whether examples and names stay."""
        examples = bool(self.added or self.removed or self.reclassed)
        return not examples and self.category is not None and self.category.recolours


class Command(QUndoCommand):
    """A change that is done already when it is put on the stack."""

    def __init__(self, text: str, change: Change, apply: Callable[[Change], str]) -> None:
        super().__init__(text)
        self._change = change
        self._apply = apply  # returns what went wrong: nothing may be raised into Qt
        self._done = True

    def redo(self) -> None:
        """Do it again."""
        if self._done:
            self._done = False
        elif self._apply(self._change):
            self.setObsolete(True)

    def undo(self) -> None:
        """Take it back."""
        if self._apply(self._change.reversed()):
            self.setObsolete(True)
