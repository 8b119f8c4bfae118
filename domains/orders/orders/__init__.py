"""The domain orders: takes orders, asks stock whether it knows the goods, and confirms once stock has reserved them."""
