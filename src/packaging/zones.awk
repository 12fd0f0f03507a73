# Writes tzdata.zi, which has its words short, as the sources of time zones that the library `date` reads:
#   awk -v FOLDER=tzdata -f zones.awk /usr/share/zoneinfo/tzdata.zi
# One file of those that it looks for, with all of them in it.
BEGIN {
  out = FOLDER "/etcetera"
  split("January February March April May June July August September October November December", months)
  split("Sunday Monday Tuesday Wednesday Thursday Friday Saturday", days)
}

# The first three letters of the one word that begins so, and no other.
function whole(short, words,    i, found) {
  for (i in words) {
    if (index(words[i], short) == 1) {
      if (found != "") fail(short)
      found = substr(words[i], 1, 3)
    }
  }
  if (found == "") fail(short)
  return found
}

# A day of a month: 5, lastSu, Su>=8, Su<=25.
function day(text,    at) {
  if (text ~ /^[0-9]+$/) return text
  if (text ~ /^last/) return "last" whole(substr(text, 5), days)
  at = match(text, /[<>]=/)
  if (at == 0) fail(text)
  return whole(substr(text, 1, at - 1), days) substr(text, at)
}

function fail(word) {
  print "zones.awk: line " NR " has '" word "', which is not known" > "/dev/stderr"
  failed = 1
  exit 1
}

# The fields of a period from the first on: offset, rule, format, and until when.
function period(first,    text, i) {
  text = $first "\t" $(first + 1) "\t" $(first + 2)
  for (i = first + 3; i <= NF; i++)
    text = text "\t" (i == first + 4 ? whole($i, months) : i == first + 5 ? day($i) : $i)
  return text
}

/^# version / { print $3 > (FOLDER "/version") }
/^#/ || NF == 0 { next }
$1 == "R" {
  to = $4 == "o" ? "only" : $4 == "ma" ? "max" : $4
  print "Rule", $2, $3, to, $5, whole($6, months), day($7), $8, $9, $10 > out
  next
}
$1 == "L" { print "Link", $2, $3 > out; next }
$1 == "Z" { print "Zone\t" $2 "\t" period(3) > out; next }
/^[-0-9]/ { print "\t" period(1) > out; next }
{ fail($1) }

END {
  if (failed) exit 1
  # The library wants to know which zones Windows means by its own names. Nobody asks it for one of those.
  print "<mapTimezones otherVersion=\"\" typeVersion=\"\">\n</mapTimezones>" > (FOLDER "/windowsZones.xml")
}
