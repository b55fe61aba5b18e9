;; One request at a time: a search for everything.
(func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
  (i32.const 2176))
(data (i32.const 2176) (i32 0  2240 1  2256 1  2320 26  0 0  0))
(data (i32.const 2240) (i32 0 2288 16))
(data (i32.const 2256) (i32 0 26 0 0 0))
(data (i32.const 2288) "{\"index\":\"_all\"}")
(data (i32.const 2320) "{\"query\":{\"match_all\":{}}}")
