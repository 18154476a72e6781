"""Values and their rates, as people write them on a command line."""


def parse_mix(text: str) -> dict[str, float]:
    """ "A:0.9,B:0.1" as names and rates; a name alone has what the others leave. Raises ValueError in words."""
    mix: dict[str, float] = {}
    rest: list[str] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, colon, rate = entry.rpartition(":")
        if not colon:
            rest.append(entry)
            continue
        try:
            mix[name.strip()] = float(rate)
        except ValueError:
            raise ValueError(f"{rate!r} in {entry!r} is no number") from None
    if len(rest) > 1:
        raise ValueError(f"{' and '.join(rest)} have no rate; only one may go without")
    if any(not 0 <= rate <= 1 for rate in mix.values()) or sum(mix.values()) > 1 + 1e-9:
        raise ValueError(f"the rates in {text!r} are not between 0 and 1, or more than 1 together")
    if rest:
        mix[rest[0]] = max(0.0, 1 - sum(mix.values()))
    return mix
