-- The same request over and over: what wrk's command line says.
dofile(os.getenv("LOAD_FOLDER") .. "/common.lua")
