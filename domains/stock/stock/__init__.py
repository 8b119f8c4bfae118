"""The domain stock: keeps what is on hand and reserves it for orders, all lines of an order or none."""
