"""`python -m smppgw.cli` is `smppgw`."""

from smppgw.cli import main

if __name__ == "__main__":
    main()
