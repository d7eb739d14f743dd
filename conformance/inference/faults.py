"""What is wrong with a class that returns something else than a result, in words."""

TIME_MAJOR = "the input is batch-first, (N, T, ...), and {} time-major, (T, N, ...)"
BATCH_FIRST = "the input is time-major, (T, N, ...), and {} batch-first, (N, T, ...)"
"""What is wrong unless it is meant; `infer` declares it, and reports it first."""

SIDES = {TIME_MAJOR: "input", BATCH_FIRST: "output"}
"""What alone is batch-first where that is so, as `batch_first` declares it."""

SKIPPED = "the state before the last step is returned: the last step is skipped"

LAST_ROW = "the last row of the output is returned instead of the last step"

FIRST_STEP = "the first step is returned instead of the last"

LAST_STEP = (
    "the last step of the output is returned, which is not a final state of the reverse direction: "
    "that has seen one step there"
)

EXCHANGED = "the last two states of h_n are returned in exchanged order"

LOWEST = "the first two states of h_n are returned in place of the last two"

VIEWED = (
    "h_n is viewed with rows first, which mixes the rows of the batch: exchange its axes before"
)

AS_ROWS = (
    "the states of all layers are taken for rows of one batch, in place of those of the top layer"
)

TWICE = "one of the last two states of h_n is returned twice, and the other not at all"

ADDED = "the outputs of the two directions are added up, not put side by side"

STATES_ADDED = "the final states of the two directions are added up, not returned side by side"

AVERAGED = (
    "the mean of the outputs of the two directions is returned, in place of both side by side"
)

NOTHING = "nothing that is returned, or taken by a submodule, equals an output or a state"

AFTER_POOLING = (
    "{} takes the {} of the output over all steps, from which no step can be read: return the "
    "output as well, as from a subclass"
)

AFTER_RELU = (
    "{} takes what a function relu made of a result, which cannot be told from that: make it a "
    "submodule, as self.relu = nn.ReLU(), so that infer sees what it takes"
)
