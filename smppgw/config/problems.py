"""What is said about a config that cannot be used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a path of the file, and what would be right."""

    path: str
    wrong: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.wrong}; {self.fix}"


class ConfigError(Exception):
    """All problems of a config; with any of them nothing of it is used."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
