"""The account console: what people see and change of their own account. One module for each
section; every view asks the policies through a guard.
"""
