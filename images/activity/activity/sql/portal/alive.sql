-- Does the server answer?
select 1;
