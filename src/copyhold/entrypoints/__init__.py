"""Where people and programs come in: translate, call one action or queue one job, translate back."""
