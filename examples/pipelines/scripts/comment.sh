#!/bin/sh
# Shows a file of markdown as the one comment of gpup on a pull request: made once, written anew by each later run.
#   comment.sh github|gitlab|azure FILE
# github: GITHUB_TOKEN, and of the workflow GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_REF (refs/pull/N/merge)
# gitlab: GPUP_GITLAB_TOKEN (a project's, scope api), and of the job CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID
# azure:  SYSTEM_ACCESSTOKEN, and of the build SYSTEM_COLLECTIONURI, SYSTEM_TEAMPROJECTID, BUILD_REPOSITORY_ID,
#         SYSTEM_PULLREQUEST_PULLREQUESTID; made as a closed thread, which nobody has to resolve
set -eu
platform=$1
file=$2
mark='<!-- gpup-plan -->'

# The header with the token is read from a file, so that it is in no list of processes.
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
call() { # call METHOD URL [FILE]: the answer, as JSON
  curl --silent --show-error --fail --retry 3 --header "@$room/header" --request "$1" "$2" ${3:+--header 'Content-Type: application/json' --data-binary "@$3"}
}
page='per_page=100'

case $platform in
  github)
    number=${GITHUB_REF#refs/pull/}
    issues=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues
    printf 'Authorization: Bearer %s\nAccept: application/vnd.github+json\n' "$GITHUB_TOKEN" >"$room/header"
    jq -n --rawfile text "$file" --arg mark "$mark" '{body: ($mark + "\n" + $text)}' >"$room/body"
    all=$issues/${number%%/*}/comments
    pick='.[] | select(.body // "" | startswith($mark)) | .id'
    change() { call PATCH "$issues/comments/$1" "$room/body"; }
    ;;
  gitlab)
    printf 'Authorization: Bearer %s\n' "$GPUP_GITLAB_TOKEN" >"$room/header"
    jq -n --rawfile text "$file" --arg mark "$mark" '{body: ($mark + "\n" + $text)}' >"$room/body"
    all=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes
    page='per_page=100&sort=asc'
    pick='.[] | select(.body // "" | startswith($mark)) | .id'
    change() { call PUT "$all/$1" "$room/body"; }
    ;;
  azure)
    printf 'Authorization: Bearer %s\n' "$SYSTEM_ACCESSTOKEN" >"$room/header"
    jq -n --rawfile text "$file" --arg mark "$mark" \
      '{comments: [{parentCommentId: 0, commentType: 1, content: ($mark + "\n" + $text)}], status: 4}' >"$room/body"
    all=$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECTID/_apis/git/repositories/$BUILD_REPOSITORY_ID/pullRequests
    all=$all/$SYSTEM_PULLREQUEST_PULLREQUESTID/threads
    page='api-version=7.1'
    pick='.value[] | select(.comments[0].content // "" | startswith($mark)) | .id'
    change() {
      jq '{content: .comments[0].content}' "$room/body" >"$room/change"
      call PATCH "$all/$1/comments/1?$page" "$room/change"
    }
    ;;
  *)
    echo "comment.sh: no platform is called '$platform': github, gitlab or azure" >&2
    exit 64
    ;;
esac

# The oldest 100: ours is among the first ones.
call GET "$all?$page" >"$room/all"
found=$(jq -r --arg mark "$mark" "first($pick) // empty" "$room/all")
if [ -n "$found" ]; then
  change "$found" >/dev/null
elif [ "$platform" = azure ]; then
  call POST "$all?$page" "$room/body" >/dev/null
else
  call POST "$all" "$room/body" >/dev/null
fi
