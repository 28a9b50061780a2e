"""numpy for the rules, loaded when somebody makes the first array.

Rules play single rounds on plain numbers; arrays serve what plays them by the million. A process that only plays makes none, and
saves eleven megabytes and a tenth of a second.

    from society.core.arrays import NDArray, np
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["NDArray", "np"]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:

    class _Numpy:
        """Stands for the module; whatever is asked for is looked up in it once."""

        def __getattr__(self, name: str) -> Any:
            import numpy

            value = getattr(numpy, name)
            setattr(self, name, value)
            return value

    np = _Numpy()

    class NDArray:
        """Stands in annotations, which nobody evaluates while a program runs."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return Any
