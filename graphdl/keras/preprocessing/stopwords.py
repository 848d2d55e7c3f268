"""Words that say little by themselves, most of them the glue of a sentence; short lists, made for teaching."""

_ENGLISH = """
a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing down during each few for from further had has have having he her here hers herself him himself
his how i if in into is it its itself just me more most my myself now of off on once only or other our ours ourselves
out over own same she should so some such than that the their theirs them themselves then there these they this those
through to too under until up very was we were what when where which while who whom why will with would you your yours
yourself yourselves
"""

# Endings stick to Korean words, so these are words that stand alone: pronouns, adverbs, connectives, nouns of form.
_KOREAN = """
그 그것 그것은 그것을 그것이 그는 그녀 그녀는 그녀의 그들 그들은 그들의 그래서 그러나 그러면 그런 그런데 그렇게 그리고
그의 그저 나 나는 나를 나의 내 내가 너 너는 너무 너의 네 네가 누가 누구 다 다른 다시 더 덜 또 또는 또한 때
때문에 및 매우 모두 모든 무슨 무엇 아니 아주 안 어느 어떤 어떻게 언제 얼마나 여기 여러 왜 우리 우리가 우리는 우리의
이 이것 이것은 이것을 이것이 이는 이런 이렇게 이제 있는 있다 있었다 자기 자신 저 저것 저기 저는 저런 저의 정말 제
제가 조금 좀 줄 중 즉 지금 참 하고 하는 하지만 한 할 함께 해서 했다 혹은 것 것은 것을 것이 것이다 거의 같은 같이
되는 된 된다 될 등 등등 따라서 따라 대해 대한 대하여 위해 위한 의해 통해 수 바 뿐 만 만큼 만약
"""

ENGLISH = frozenset(_ENGLISH.split())
KOREAN = frozenset(_KOREAN.split())
