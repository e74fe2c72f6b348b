"""What is made of checked rules besides the meaning itself: sentences, and programs of other engines."""
