# SPDX-License-Identifier: GPL-2.0-only
# Applies patches to files of a tree:  awk -v tree=DIR -f apply.awk PATCH...
#
# A hunk has one place, or it is an error: its context and what it removes have
# to be there exactly, under the same heading (the text after the second @@: the
# last line before it that begins with a letter, so the function that it is in),
# and nowhere else under it. Line numbers do not count. So a hook never lands
# where another version of Xen has lines that look alike. Nothing is written
# unless all of it applies.

function heading(line,   h)
{
    h = substr(line, 1, 80)
    sub(/[ \t\f\r]+$/, "", h)
    return h
}

function fail(why)
{
    printf "%s: hunk %d for %s (%s) %s\n", name, hunk, file, at, why >"/dev/stderr"
    failed = 1
}

function load(   l)
{
    count = done = hunk = 0
    above[0] = ""
    while ((getline l <(tree "/" file)) > 0)
    {
        text[++count] = l
        above[count] = l ~ /^[A-Za-z_$]/ ? heading(l) : above[count - 1]
    }
    close(tree "/" file)
    result = ""
    if (!count)
    {
        hunk = at = "-"
        fail("has no file")
    }
}

# Whether the hunk fits after line p.
function fits(p,   i)
{
    if (above[p] != at)
        return 0
    for (i = 1; i <= olds; i++)
        if (text[p + i] != old[i])
            return 0
    return 1
}

function end_hunk(   p, place, places)
{
    if (!in_hunk)
        return
    in_hunk = 0
    for (p = done; p + olds <= count; p++)
        if (fits(p))
        {
            places++
            place = p
        }
    if (places != 1)
    {
        fail(places ? "has " places " places" : "has no place")
        return
    }
    while (done < place)
        result = result text[++done] "\n"
    result = result new
    done += olds
}

function end_file()
{
    end_hunk()
    if (file == "" || !count)
        return
    while (done < count)
        result = result text[++done] "\n"
    results[file] = result
    file = ""
}

FNR == 1 { end_file(); name = FILENAME; sub(/.*\//, "", name) }
/^diff --git / { end_file(); next }
/^\+\+\+ b\// && !in_hunk { file = substr($0, 7); load(); next }
file == "" { next }
/^@@ / {
    end_hunk()
    hunk++
    in_hunk = 1
    at = $0
    sub(/^@@ [^@]* @@ ?/, "", at)
    at = heading(at)
    olds = 0
    new = ""
    next
}
!in_hunk { next }
/^[ -]/ { old[++olds] = substr($0, 2) }
/^[ +]/ { new = new substr($0, 2) "\n" }

END {
    end_file()
    if (failed)
        exit 1
    for (f in results)
        printf "%s", results[f] >(tree "/" f)
}
