import traceback
import warnings

warnings.filterwarnings("ignore")


def run():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=2)
    try:
        {}["missing"]
    except KeyError as error:
        last = traceback.format_exc().strip().splitlines()[-1]
        kind = type(error).__name__
    warnings.warn("heard by nobody")
    return len(caught), last, kind
