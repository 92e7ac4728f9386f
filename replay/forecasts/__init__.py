"""Forecasts are events: read from a file, or made bar by bar by a forecaster, and woven into the stream when they were ready.

table.py   rows with the time they were ready; the forecasts file and its checks
weave.py   cut blocks where a forecast belongs (cutting is free: the loop's answers do not depend on block sizes)
stage.py   a forecaster in front of the loop: the streaming feature kernel, stopped at every minute
simple.py  the built-in forecaster: microprice, imbalance and short-term momentum
door.py    a user's forecaster (`on_bar`)
"""
