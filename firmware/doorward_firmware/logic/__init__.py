"""What a unit decides, and nothing else: pure functions, no hardware, no waiting, no clock of their own.

Read in this order: `events` (the words), `settings` (the times), `interlock` and `guard` (the doors),
`lockout` and `authentication` (the fingers), `arrival` (the van), `task`, `flows` and `handover` (the task),
`unit` (all of them together, as the application drives them).
"""
