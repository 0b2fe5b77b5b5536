"""Average linkage by cosine under constraints: what is alike on the mean becomes one, unless something keeps it apart.

Two groups are as alike as their pairs are on the mean; the most alike are joined first, until none are as alike as a
threshold. A group that holds something apart from something in another never joins it. This is average linkage on
1 - cosine with an infinite distance where two are apart, which an average keeps infinite. Joining never brings
anything nearer to a third (the linkage is reducible), so pairs that are each other's nearest may be joined in any
order: a chain of nearest neighbours finds them (Murtagh, The Computer Journal 1983).
"""
