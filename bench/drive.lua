-- Sends one kind of request, draws the values it needs, and looks at every answer.
-- The file named by the first argument is written by bench/wire.py.

local threads = {}

function setup(thread)
   threads[#threads + 1] = thread
end

local use, expect, contains, method, path, body
local headers, values, requests = {}, {}, {}
local turn = 0

statuses, wrong, samples, empty = {}, 0, {}, 0

local function fill(text, value)
   local from, to = string.find(text, "@VALUE@", 1, true)
   if not from then return text end
   return string.sub(text, 1, from - 1) .. value .. string.sub(text, to + 1)
end

local function made(value)
   local sent = {}
   for name, text in pairs(headers) do sent[name] = fill(text, value) end
   sent["Host"] = wrk.headers["Host"]
   local content = nil
   if body ~= "" then content = fill(body, value) end
   return wrk.format(method, fill(path, value), sent, content)
end

function init(args)
   local lines = io.lines(args[1])
   use, expect, contains = lines(), tonumber(lines()), lines()
   method, path, body = lines(), lines(), lines()
   for _ = 1, tonumber(lines()) do
      local name, text = string.match(lines(), "^([^:]+): (.*)$")
      headers[name] = text
   end
   for line in lines do values[#values + 1] = line end
   if use ~= "chain" then
      for index, value in ipairs(values) do requests[index] = made(value) end
   end
end

function request()
   if use == "again" then
      turn = turn % #requests + 1
      return requests[turn]
   elseif use == "once" then
      turn = turn + 1
      if turn > #requests then
         empty = empty + 1
         return requests[#requests]
      end
      return requests[turn]
   end
   local value = table.remove(values)
   if not value then
      empty = empty + 1
      value = "none"
   end
   return made(value)
end

function response(status, sent, content)
   local key = "s" .. status
   statuses[key] = (statuses[key] or 0) + 1
   local told = content
   if status >= 300 and status < 400 then told = sent["Location"] or "" end
   if status ~= expect or not string.find(told, contains, 1, true) then
      wrong = wrong + 1
   end
   if use == "chain" then
      local successor = string.match(content, '"refresh_token": ?"([^"]+)"')
      if successor then table.insert(values, 1, successor) end
   end
   if #samples < 20 or (wrong > 0 and wrong < 3) then samples[#samples + 1] = told end
end

function done(summary, latency, _)
   local thread = threads[1]
   for name, count in pairs(thread:get("statuses")) do
      io.write("STATUS ", string.sub(name, 2), " ", count, "\n")
   end
   io.write("WRONG ", thread:get("wrong"), "\n")
   io.write("EMPTY ", thread:get("empty"), "\n")
   local errors = summary.errors
   io.write("BROKEN ", errors.connect + errors.read + errors.write + errors.timeout, "\n")
   io.write("REQUESTS ", summary.requests, "\n")
   io.write("DURATION ", summary.duration, "\n")
   io.write("P50 ", latency:percentile(50), "\n")
   io.write("P99 ", latency:percentile(99), "\n")
   for _, sample in ipairs(thread:get("samples")) do
      io.write("SAMPLE ", sample, "\n")
   end
end
