@rem npm start runs its script by exec, so that no shell keeps a signal to itself. cmd has none.
@%*
