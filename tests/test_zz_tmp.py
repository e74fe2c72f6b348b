from hypothesis import given, strategies as st
def check(o): assert len(o.stated)<5
@given(data=st.data())
def test_x(rulebook, data):
    from engine.properties import orders
    check(data.draw(orders(rulebook,"h200-article")))
