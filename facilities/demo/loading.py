from collections.abc import Callable

Progress = Callable[[str, int, int], None]
def load_demonstration(progress: Progress) -> list[tuple[str, str, str]]:
    return []
