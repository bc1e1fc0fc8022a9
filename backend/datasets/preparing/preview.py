"""placeholder"""


def preview(**asked):
    raise NotImplementedError
