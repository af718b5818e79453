"""Power fails at every operation: what `doorward scenario power-cuts` does with a scenario that asks for it.

recording    a delivery as it was once: every piece of flash, and all that left the unit, in one order
recovery     the firmware's own stores, mounted on what a cut leaves
promises     what had left the unit, held against what was recovered
live         the delivery again, with the plug pulled in one piece; it must end as if nothing had been
sweep        all of them, and the figures
"""
