# The landscape of the cases has contracts; they are data here, not contracts to be checked.
collect_ignore = ["cases"]
