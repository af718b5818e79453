"""The pages: server-rendered, live by server-sent events, Chinese and English, no build step."""
