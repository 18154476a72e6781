"""A mailbox keeps what nobody has taken, and never turns it round."""

from hypothesis import given
from hypothesis import strategies as st

from smppgw.simulate.mailbox import Delivery, Mailbox


class Link:
    """Takes as much as it has room for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken: list[Delivery] = []

    def room(self) -> int:
        return self.size - len(self.taken)

    def deliver(self, delivery: Delivery) -> None:
        assert self.room() > 0
        self.taken.append(delivery)

    def try_deliver(self, delivery: Delivery) -> bool:
        if self.room() > 0:
            self.deliver(delivery)
            return True
        return False


def numbered(count: int) -> list[Delivery]:
    return [Delivery(b"%d" % n, True) for n in range(count)]


@given(st.lists(st.integers(0, 5), max_size=4), st.integers(0, 30))
def test_everything_is_taken_once_or_waits(sizes: list[int], count: int) -> None:
    mailbox = Mailbox()
    links = [Link(size) for size in sizes]
    mailbox.links.extend(links)
    for delivery in numbered(count):
        mailbox.offer(delivery)
    taken = [delivery for link in links for delivery in link.taken]
    assert sorted([*taken, *mailbox.waiting]) == sorted(numbered(count))
    assert not mailbox.waiting or all(link.room() == 0 for link in links)


def test_the_preferred_link_comes_first() -> None:
    mailbox = Mailbox()
    near, far = Link(1), Link(5)
    mailbox.links += [near, far]
    for delivery in numbered(2):
        mailbox.offer(delivery, near)
    assert [len(near.taken), len(far.taken)] == [1, 1]


def test_what_waits_goes_before_what_comes() -> None:
    mailbox = Mailbox()
    first, second, third = numbered(3)
    mailbox.offer(first)
    link = Link(5)
    mailbox.links.append(link)
    mailbox.offer(second, link)
    mailbox.fill(link)
    mailbox.offer(third, link)
    assert link.taken == [first, second, third]


def test_what_a_broken_link_had_goes_first() -> None:
    mailbox = Mailbox()
    mailbox.offer(Delivery(b"new", True))
    mailbox.give_back(numbered(2))
    assert [*mailbox.waiting] == [*numbered(2), Delivery(b"new", True)]


def test_nothing_goes_out_while_it_is_held() -> None:
    mailbox = Mailbox()
    link = Link(5)
    mailbox.links.append(link)
    mailbox.holding = True
    mailbox.offer(Delivery(b"1", True), link)
    mailbox.fill(link)
    assert link.taken == []
    mailbox.holding = False
    mailbox.fill_all()
    assert len(link.taken) == 1
